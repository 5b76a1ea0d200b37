/** One entry of `guardrails`: what all of them have, and what each kind makes of its own. */
import { DraftEntry } from '../../gateways/draft-entry.ts'
import type { Foreign } from '../../gateways/foreign-value.ts'
import type { Side } from '../../gateways/guard-settings.ts'
import type { DeploymentContext } from '../deployment.ts'

export interface GuardrailKind {
  /** Makes the guards, and returns their names. */
  readonly take: (guardrail: Guardrail, context: DeploymentContext) => readonly string[]
  /** Variables that are read where the file does not say something: setting -> variable. */
  readonly implied?: Readonly<Record<string, string>>
  /** Settings of the kind that nothing here is like. */
  readonly left?: Readonly<Record<string, string>>
}

/** When it is asked there: what it looks at here. */
const modes: Readonly<Record<string, readonly [side: Side, why?: string]>> = {
  pre_call: ['input'],
  during_call: ['input', 'the model is asked when it has passed'],
  post_call: ['output'],
}
const otherModes: Readonly<Record<string, string>> = {
  logging_only: 'contents are not recorded',
  pre_mcp_call: 'results of tools are looked at on their way to a model, and calls of tools are for `contracts` and `rules`',
  during_mcp_call: 'calls of tools are for `contracts` and `rules`',
}

export class Guardrail {
  /** What the guard may be called. */
  readonly name: string
  readonly #item: Foreign
  readonly #parameters: Foreign | undefined
  readonly #sides: readonly (readonly [Side, Foreign, string | undefined])[]

  constructor(item: Foreign, name: string) {
    this.name = name
    this.#item = item
    this.#parameters = item.get('litellm_params')
    this.#sides = sidesOf(this.get('mode'))
  }

  get(key: string): Foreign | undefined {
    return this.#parameters?.get(key)
  }

  /** False when it looks at nothing that goes to a model or comes from one. */
  get isAsked(): boolean {
    return this.get('mode') === undefined || this.#sides.length > 0
  }

  /** A guard of the kind, with what every guardrail says. */
  entry(kind: string): DraftEntry {
    const entry = new DraftEntry().set('kind', kind)
    const [named, said, standing] = [this.#item.get('guardrail_name'), this.get('guardrail'), this.get('default_on')]
    const isStanding = standing?.flag() === true
    if (named !== undefined) entry.from(named, '', isStanding ? undefined : onRequest)
    if (said !== undefined) entry.from(said, 'kind')
    const sides = new Set(this.#sides.map(([side]) => side))
    entry.set('on', sides.size === 1 ? [...sides][0] : 'both')
    for (const [, from, why] of this.#sides) entry.from(from, 'on', why)
    if (isStanding) entry.set('everywhere', true, standing)
    return entry
  }

  left(why: string): void {
    this.#item.left(why)
  }
}

const onRequest = 'no request chooses its guards here: it looks at the routes that list it, or at everything with `everywhere: true`'

function sidesOf(mode: Foreign | undefined): readonly (readonly [Side, Foreign, string | undefined])[] {
  const usual = mode?.get('default') ?? mode
  mode?.get('tags')?.left('a guard looks at every call of its routes, whoever makes it')
  const said = usual === undefined ? [] : usual.isList ? usual.items() : [usual]
  return said.flatMap((from) => {
    const word = from.text()?.toLowerCase() ?? ''
    const [side, why] = Object.hasOwn(modes, word) ? (modes[word] ?? []) : []
    if (side !== undefined) return [[side, from, why] as const]
    from.left(Object.hasOwn(otherModes, word) ? (otherModes[word] ?? '') : 'it is no moment at which a guard looks')
    return []
  })
}
