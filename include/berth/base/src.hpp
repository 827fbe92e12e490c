// Every body of the base layer.
#pragma once

#include <berth/impl/base/error.ipp>
#include <berth/impl/base/log.ipp>
#include <berth/impl/base/visible_text.ipp>
