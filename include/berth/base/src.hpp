// Every body of the base layer.
#pragma once

#include <berth/impl/base/error.ipp>
#include <berth/impl/base/file.ipp>
#include <berth/impl/base/log.ipp>
#include <berth/impl/base/rooted.ipp>
#include <berth/impl/base/token.ipp>
#include <berth/impl/base/visible_text.ipp>
