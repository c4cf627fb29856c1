#pragma once

namespace fer {

/// Whether the processor has an instruction set, by LibTorch's name for it: avx512_f, avx512_bf16, amx_bf16, ...
bool processor_has(const char* feature);

}  // namespace fer
