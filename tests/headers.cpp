// SPDX-License-Identifier: Apache-2.0
// Carries the precompiled headers of the test programs (BERTH_PCH). It has nothing to say itself.
