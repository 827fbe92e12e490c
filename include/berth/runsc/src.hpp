// Every body of the runsc layer.
#pragma once
