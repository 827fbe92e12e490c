// The compiled bodies of the base layer.
#include <berth/base/src.hpp>
