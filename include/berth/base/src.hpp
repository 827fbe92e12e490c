// SPDX-License-Identifier: Apache-2.0
// Every body of the base layer.
#pragma once

#include <berth/impl/base/error.ipp>
#include <berth/impl/base/file.ipp>
#include <berth/impl/base/log.ipp>
#include <berth/impl/base/log_file.ipp>
#include <berth/impl/base/rate_limit.ipp>
#include <berth/impl/base/rooted.ipp>
#include <berth/impl/base/tar.ipp>
#include <berth/impl/base/tar_tree.ipp>
#include <berth/impl/base/token.ipp>
#include <berth/impl/base/users.ipp>
#include <berth/impl/base/visible_text.ipp>
