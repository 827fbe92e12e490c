// Every body of the docker layer.
#pragma once
