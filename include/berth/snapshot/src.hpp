// SPDX-License-Identifier: Apache-2.0
// Every body of the snapshot layer.
#pragma once

#include <berth/impl/snapshot/manifest.ipp>
#include <berth/impl/snapshot/pool.ipp>
#include <berth/impl/snapshot/pool_directory.ipp>
#include <berth/impl/snapshot/pool_plan.ipp>
#include <berth/impl/snapshot/pool_store.ipp>
#include <berth/impl/snapshot/root_garbage.ipp>
#include <berth/impl/snapshot/snapshot.ipp>
#include <berth/impl/snapshot/store.ipp>
#include <berth/impl/snapshot/unfinished.ipp>
