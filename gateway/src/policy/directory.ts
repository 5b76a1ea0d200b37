/**
 * The address book: what an address or a principal id means as a reader. Where two people could be meant,
 * it means neither: an ambiguous name must not open the audience of one to the other.
 */
import type { Config } from '@turnward/contract/config'
import type { PolicyProblem } from './problem.ts'
import { domainOf, normaliseReader, type ReaderNames } from './readers.ts'
import type { Directory } from './types.ts'

type Principals = Config['principals']

/**
 * Compiles the declared principals. `namesOf(id)` has the id, its `@group`s, addresses and their domains;
 * `namesOf(address)` has the person's id, groups and addresses, and the domain of that address alone: a private
 * mailbox is not inside the company's domain because its owner is. Other readers mean themselves. `isOpen`: there may be
 * people that only an identity provider names, so nobody can list who there is.
 */
export function compileDirectory(principals: Principals, { isOpen = false }: { readonly isOpen?: boolean } = {}): Directory {
  const people = new Map<string, readonly string[]>()
  const owners = new Map<string, string | null>()
  for (const [id, principal] of Object.entries(principals)) {
    const reader = id.toLowerCase()
    const addresses = principal.emails.flatMap((email) => normaliseReader(email) ?? [])
    const names = [reader, ...principal.groups.map((group) => `@${group.toLowerCase()}`), ...addresses]
    people.set(reader, people.has(reader) ? [reader] : [...new Set(names)])
    for (const address of addresses) owners.set(address, owners.has(address) && owners.get(address) !== reader ? null : reader)
  }
  const domainsOf = (names: readonly string[]) => {
    // A principal may be called like a domain (`bob.dev`); then the word means the principal only.
    return names.flatMap((name) => domainOf(name) ?? []).filter((domain) => domain.includes('.') && !people.has(domain))
  }
  const withDomains = new Map([...people].map(([reader, names]) => [reader, [...new Set([...names, ...domainsOf(names)])]]))
  return {
    readers: isOpen ? undefined : [...people.keys()],
    people: [...people.keys()],
    declares: (id) => Object.hasOwn(principals, id),
    owns: (address) => owners.has(address) || people.has(address),
    namesOf: (reader) => {
      const person = withDomains.get(reader)
      if (person !== undefined) return person
      const owner = owners.get(reader)
      const names = typeof owner === 'string' ? (people.get(owner) ?? []) : []
      return [...new Set([reader, ...names, ...domainsOf([reader])])]
    },
  }
}

/** The names bare words in contracts may mean: declared principals and groups, and groups that principals are in. */
export function readerNames(config: Pick<Config, 'principals' | 'groups'>): ReaderNames {
  const groups = [...Object.keys(config.groups), ...Object.values(config.principals).flatMap((principal) => principal.groups)]
  return {
    principals: new Set(Object.keys(config.principals).map((id) => id.toLowerCase())),
    groups: new Set(groups.map((group) => group.toLowerCase())),
  }
}

/** Declarations that would be ambiguous as readers: names equal but for case, shared or unusual addresses, reserved names. */
export function directoryProblems(config: Pick<Config, 'principals' | 'groups'>): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = []
  const seen = { principals: new Map<string, string>(), groups: new Map<string, string>() }
  for (const kind of ['principals', 'groups'] as const) {
    for (const name of Object.keys(config[kind])) {
      const folded = name.toLowerCase()
      const other = seen[kind].get(folded)
      if (other !== undefined)
        problems.push({
          path: [kind, name],
          message: `\`${name}\` and \`${other}\` differ only in case; readers of data are compared without case`,
        })
      if (folded === 'public') problems.push({ path: [kind, name], message: '`public` means everyone and cannot be a name here' })
      seen[kind].set(folded, name)
    }
  }
  const owners = new Map<string, string>()
  for (const [id, principal] of Object.entries(config.principals)) {
    for (const [index, email] of principal.emails.entries()) {
      const path = ['principals', id, 'emails', index]
      const address = normaliseReader(email)
      if (address === undefined)
        problems.push({ path, message: 'this address has characters that tool arguments are not read with; use a plain ASCII address' })
      const owner = owners.get(address ?? '')
      if (owner !== undefined && owner !== id)
        problems.push({ path, message: `this address also belongs to \`${owner}\`; an address must mean one principal` })
      if (address !== undefined) owners.set(address, id)
    }
  }
  return problems
}
