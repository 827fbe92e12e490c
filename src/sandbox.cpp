// The compiled bodies of the sandbox layer.
#include <berth/sandbox/src.hpp>
