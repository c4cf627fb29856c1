#pragma once

namespace fer {

/// How many threads a computing thread uses, itself among them.
int compute_threads();

/// From now on what this thread computes, it computes alone. OpenMP gives each thread that computes a team of its own,
/// and once there are more of them than processors no team waits awake any more: predicting then takes twice as long.
/// So threads whose work is something else do not get one.
void compute_alone();

}  // namespace fer
