// Every body of the network layer.
#pragma once
