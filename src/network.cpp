// The compiled bodies of the network layer.
#include <berth/network/src.hpp>
