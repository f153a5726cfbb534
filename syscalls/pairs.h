/* pairs.h - takes the argument tuple of a row of syscalls.def apart, by preprocessor.
 *
 * PAIRS(argc, M, (KIND, name, KIND, name ...)) becomes M(0, KIND, name) M(1, KIND, name) ... for argc pairs.
 */
#ifndef SYSCALLS_PAIRS_H
#define SYSCALLS_PAIRS_H

#define PAIRS(argc, M, args)  PAIRS_N(argc, M, PAIRS_UNPACK args)
#define PAIRS_UNPACK(...)     __VA_ARGS__
#define PAIRS_N(argc, M, ...) PAIRS_##argc(M, __VA_ARGS__)

#define PAIRS_0(M, ...)
#define PAIRS_1(M, k0, n0)                         M(0, k0, n0)
#define PAIRS_2(M, k0, n0, k1, n1)                 M(0, k0, n0) M(1, k1, n1)
#define PAIRS_3(M, k0, n0, k1, n1, k2, n2)         M(0, k0, n0) M(1, k1, n1) M(2, k2, n2)
#define PAIRS_4(M, k0, n0, k1, n1, k2, n2, k3, n3) M(0, k0, n0) M(1, k1, n1) M(2, k2, n2) M(3, k3, n3)
#define PAIRS_5(M, k0, n0, k1, n1, k2, n2, k3, n3, k4, n4)                                                             \
	M(0, k0, n0) M(1, k1, n1) M(2, k2, n2) M(3, k3, n3) M(4, k4, n4)
#define PAIRS_6(M, k0, n0, k1, n1, k2, n2, k3, n3, k4, n4, k5, n5)                                                     \
	M(0, k0, n0) M(1, k1, n1) M(2, k2, n2) M(3, k3, n3) M(4, k4, n4) M(5, k5, n5)

#endif
