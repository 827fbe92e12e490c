// The compiled bodies of the spec layer.
#include <berth/spec/src.hpp>
