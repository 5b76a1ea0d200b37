/** Roles of the arguments of a tool that several packs may know: the strictest of what they say, in the form that contracts have. */
import { type ArgumentRoles, compileArguments } from '../argument-roles.ts'
import type { PackArgument, PackArguments } from './pack.ts'

/** Under ranks from 0 to `topRank`. An argument that one of them does not name is an authority. */
export function rolesOf(known: readonly PackArguments[], topRank: number): { readonly args?: ArgumentRoles } {
  const [first, ...others] = known
  if (first === undefined) return {}
  const names = Object.keys(first).filter((name) => others.every((args) => Object.hasOwn(args, name)))
  const written = Object.fromEntries(names.map((name) => [name, writtenArgument(strictestRole(known, name))]))
  const rank = (name: string) => (name === 'trusted' ? topRank : 0)
  return { args: compileArguments(written, topRank, rank, () => []) }
}

/** In the full form of `contracts.*.args`. */
function writtenArgument(argument: PackArgument): Parameters<typeof compileArguments>[0][string] {
  return typeof argument === 'string' ? argument : { links: 'any' as const, values: [], ...argument }
}

/** From the strictest to the laxest. */
const strictness: readonly ((argument: PackArgument) => boolean)[] = [
  (argument) => argument === 'destination' || argument === 'authority',
  (argument) => typeof argument === 'object' && argument.role === 'destination',
  (argument) => typeof argument === 'object' && 'trust' in argument,
  (argument) => typeof argument === 'object' && 'links' in argument,
]

function strictestRole(known: readonly PackArguments[], name: string): PackArgument {
  const roles = known.map((args): PackArgument => args[name] ?? 'authority')
  return strictness.flatMap((isSuch) => roles.find(isSuch) ?? [])[0] ?? 'content'
}
