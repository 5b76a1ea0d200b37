/** What a key or a token may use at most, compiled. */
import type { Within } from '../core/principal.ts'
import { ownToolNames } from '../core/tool-names.ts'
import type { GrantKind } from './grants.ts'
import { compileNames } from './patterns.ts'
import type { NameMatcher } from './types.ts'

/** Whether a restriction leaves the named thing. */
export type Narrowing = (kind: GrantKind, name: string) => boolean

/**
 * Compiles a restriction and those that hold besides. Undefined: nothing is taken away. The gateway's own tools stay: what they find
 * and run is judged by itself.
 */
export function compileWithin(within: Within | undefined): Narrowing | undefined {
  if (within === undefined) return undefined
  const all: Partial<Record<GrantKind, NameMatcher>>[] = []
  for (let one: Within | undefined = within; one !== undefined; one = one.and) {
    const { models, gateways, tools } = one
    all.push({
      ...(models === null ? {} : { models: compileNames(models) }),
      ...(gateways === null ? {} : { gateways: compileNames(gateways) }),
      ...(tools === null ? {} : { tools: compileNames([...tools, ...ownToolNames]) }),
    })
  }
  return (kind, name) => all.every((one) => one[kind]?.matches(name) ?? true)
}
