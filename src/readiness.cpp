// The compiled bodies of the readiness layer.
#include <berth/readiness/src.hpp>
