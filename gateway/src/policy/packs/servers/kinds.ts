/**
 * What tools of MCP servers do, once for all packs. The line they draw: what people outside can write is untrusted, and what
 * leaves or changes something needs a session that has read nothing of the kind, whose content everyone who can see the place
 * may receive. Where every argument of a tool has a role, the values are asked for their source instead of the session: for what
 * says or keeps something at a place that an argument names. What runs something, decides who may read, moves money or cannot be
 * taken back goes on needing the session. Each takes the reason, because it differs per tool and an administrator reads it in `turnward policy show`.
 */
import type { PackArguments, PackContract } from '../pack.ts'

/** The same contract for several tools. */
export function each(names: readonly string[], contract: PackContract): Record<string, PackContract> {
  return Object.fromEntries(names.map((name) => [name, contract]))
}

/** Reads what others write, at a place that only the principal sees like this. */
export const readsOthers = (why: string): PackContract => ({ why, output: { trust: 'untrusted', audience: ['$principal'] } })

/** Reads what anybody may have published and everybody may read. */
export const readsPublished = (why: string): PackContract => ({ why, output: { trust: 'untrusted' } })

/** Reads what only the principal, the operator or the program itself writes. */
export const readsOwn = (why: string): PackContract => ({ why, output: { trust: 'trusted' } })

/** Reaches an address, runs a query or takes a step outside, and reads what comes back. */
export const reachesOut = (why: string): PackContract => ({
  why,
  output: { trust: 'untrusted' },
  effects: ['egress'],
  requires: { trust: 'trusted', audience: ['public'] },
})

/** Acts outside and reads what comes back. */
export const actsOutside = (why: string): PackContract => ({
  why,
  output: { trust: 'untrusted', audience: ['$principal'] },
  effects: ['egress', 'mutation'],
  requires: { trust: 'trusted', audience: ['public'] },
})

/** Changes something that stays with the principal; what comes back is its own. */
export const changesOwn = (why: string): PackContract => ({
  why,
  output: { trust: 'trusted' },
  effects: ['mutation'],
  requires: { trust: 'trusted' },
})

/** Changes something that stays with the principal, and gives back what stood there, which others wrote. */
export const changesOthers = (why: string): PackContract => ({
  why,
  output: { trust: 'untrusted', audience: ['$principal'] },
  effects: ['mutation'],
  requires: { trust: 'trusted' },
})

/** Puts new words before others; what comes back is what was put there. */
export const posts = (why: string): PackContract => ({
  why,
  output: { trust: 'trusted' },
  effects: ['egress', 'mutation'],
  requires: { trust: 'trusted', audience: ['public'] },
})

/** Changes what others see, and gives back what stood there. */
export const edits = (why: string): PackContract => ({
  why,
  output: { trust: 'untrusted', audience: ['$principal'] },
  effects: ['egress', 'mutation'],
  requires: { trust: 'trusted', audience: ['public'] },
})

/** What is said to others: the words may come from anywhere, a link in them not. */
export const words = { role: 'content', links: 'trusted' } as const

/** What is kept where a later session reads it as trusted: no words of a stranger. */
export const keptWords = { role: 'content', trust: 'trusted' } as const

/** The contract of what is kept for later under these arguments, or read again; `below`: they are folders. */
export function under(by: string | string[], contract: PackContract, below = false): PackContract {
  return { ...contract, remembers: { by, below } }
}

/** The contract with roles of the arguments in the place of the trusted session. */
export function withRoles({ requires: { trust: _trust, ...requires } = {}, ...contract }: PackContract, args: PackArguments): PackContract {
  return { ...contract, requires, args }
}
