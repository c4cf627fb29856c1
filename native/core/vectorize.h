#pragma once

// Loops that the compiler vectorises, built for several instruction sets and chosen at load time: the addon itself is
// built for any processor. Put FER_VECTORIZED before a function, and FER_INLINE before the templates it is made of.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define FER_VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FER_VECTORIZED
#endif
#define FER_INLINE inline __attribute__((always_inline))
/// After the parameters of a lambda.
#define FER_INLINE_LAMBDA __attribute__((always_inline))
