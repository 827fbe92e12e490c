// Every body of the sandbox layer.
#pragma once
