// Every body of the readiness layer.
#pragma once
