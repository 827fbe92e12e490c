// Every body of the process layer.
#pragma once
