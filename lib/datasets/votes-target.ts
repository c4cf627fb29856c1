import type { Expression } from './expressions.js'
import type { Votes } from './votes-row.js'

/** How votes become a target: as they divide, or all of it for the class of more than half of them. */
export const votesUses = ['soft', 'majority'] as const
export type VotesUse = (typeof votesUses)[number]

/**
 * What the votes say of the classes, a sum of 1; undefined where they are of no use: no class is left with votes once
 * those of one are dropped, or no more than for no expression, or, of a majority, none has it.
 */
export function targetOf(
  votes: Votes,
  classes: readonly (Expression | undefined)[],
  use: VotesUse,
): readonly number[] | undefined {
  const counts = classes.map((name) => atLeastTwo((name && votes.expressions.get(name)) ?? 0))
  if (sumOf(counts) <= sumOf(votes.none.map(atLeastTwo))) return undefined
  const shares = counts.map((count) => count / sumOf(counts))
  return use === 'soft' ? shares : majority(shares)
}

const atLeastTwo = (count: number): number => (count > 1 ? count : 0)
const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0)

function majority(shares: readonly number[]): number[] | undefined {
  const most = shares.findIndex((part) => part > 0.5)
  return most < 0 ? undefined : shares.map((_, index) => (index === most ? 1 : 0))
}
