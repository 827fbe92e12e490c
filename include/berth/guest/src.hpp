// SPDX-License-Identifier: Apache-2.0
// Every body of the guest layer.
#pragma once

#include <berth/impl/guest/channel.ipp>
#include <berth/impl/guest/conversation.ipp>
#include <berth/impl/guest/executor.ipp>
#include <berth/impl/guest/fd_sink.ipp>
#include <berth/impl/guest/file_messages.ipp>
#include <berth/impl/guest/files.ipp>
#include <berth/impl/guest/protocol.ipp>
#include <berth/impl/guest/session.ipp>
