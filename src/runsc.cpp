// The compiled bodies of the runsc layer.
#include <berth/runsc/src.hpp>
