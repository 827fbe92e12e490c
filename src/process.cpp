// The compiled bodies of the process layer.
#include <berth/process/src.hpp>
