// Every body of the spec layer.
#pragma once
