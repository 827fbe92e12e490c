// SPDX-License-Identifier: Apache-2.0
// Every body of the readiness layer.
#pragma once

#include <berth/impl/readiness/guarded_socket.ipp>
#include <berth/impl/readiness/http_response.ipp>
#include <berth/impl/readiness/notify.ipp>
#include <berth/impl/readiness/poll.ipp>
#include <berth/impl/readiness/poll_fsm.ipp>
#include <berth/impl/readiness/probe.ipp>
#include <berth/impl/readiness/schedule.ipp>
