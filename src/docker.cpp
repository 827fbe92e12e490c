// The compiled bodies of the docker layer.
#include <berth/docker/src.hpp>
