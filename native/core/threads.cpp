#include "core/threads.h"

#include <ATen/Parallel.h>
#include <omp.h>

namespace fer {

int compute_threads() {
  // Asked first when the addon is loaded, before any thread has given up its team.
  static const int threads = at::get_num_threads();
  return threads;
}

void compute_alone() {
  compute_threads();
  // LibTorch sets the number when it first asks a thread for it, and would undo this.
  at::get_num_threads();
  omp_set_num_threads(1);
}

}  // namespace fer
