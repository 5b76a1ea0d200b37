/** The kinds of objects of a configuration that have names: each is a resource of the administration API. A new kind is a line here. */
import { isObject, type JsonObject, type JsonValue } from '../../core/json.ts'

/** What an object may be: a mapping, or a list of values. */
export type ObjectValue = JsonObject | JsonValue[]

export interface ObjectKind {
  readonly kind: string
  /** Where its objects stand in the configuration. */
  readonly path: readonly [section: string] | readonly [section: string, part: string]
  /** `map`: of names. `named`: a list whose items say what they are called. `list`: one whose items do not. */
  readonly form: 'map' | 'named' | 'list'
  /** Whether a configuration without the object may allow more. */
  readonly restricts: boolean | ((object: JsonObject) => boolean)
  readonly about: string
}

export const objectKinds: readonly ObjectKind[] = [
  { kind: 'credentials', path: ['credentials'], form: 'map', restricts: false, about: 'credentials for upstreams' },
  { kind: 'upstreams', path: ['upstreams'], form: 'map', restricts: false, about: 'addresses of model providers' },
  // Without it a call may take another route, which no guard looks at.
  { kind: 'routes', path: ['routes'], form: 'list', restricts: true, about: 'which upstreams serve a model' },
  { kind: 'prices', path: ['prices'], form: 'list', restricts: true, about: 'what models cost' },
  { kind: 'groups', path: ['groups'], form: 'map', restricts: true, about: 'groups of people and workloads' },
  { kind: 'principals', path: ['principals'], form: 'map', restricts: true, about: 'people and workloads' },
  { kind: 'keys', path: ['keys'], form: 'map', restricts: false, about: 'virtual keys whose secret is kept elsewhere' },
  {
    kind: 'grants',
    path: ['grants'],
    form: 'list',
    restricts: (grant) => grant.forbid !== undefined,
    about: 'who may use what, and who may not',
  },
  { kind: 'servers', path: ['servers'], form: 'map', restricts: false, about: 'MCP servers' },
  { kind: 'gateways', path: ['gateways'], form: 'map', restricts: false, about: 'MCP endpoints' },
  { kind: 'contracts', path: ['contracts'], form: 'map', restricts: true, about: 'what is known of tools' },
  { kind: 'values', path: ['values'], form: 'map', restricts: true, about: 'lists of values that contracts name' },
  { kind: 'rules', path: ['rules'], form: 'named', restricts: true, about: 'conditions that refuse, warn or ask a person' },
  { kind: 'limits', path: ['limits', 'rules'], form: 'named', restricts: true, about: 'limits and budgets' },
  { kind: 'guards', path: ['guards'], form: 'map', restricts: true, about: 'what looks at prompts and answers' },
  { kind: 'templates', path: ['templates'], form: 'map', restricts: false, about: 'prompts with blanks' },
  { kind: 'transforms', path: ['transforms'], form: 'map', restricts: true, about: 'what is changed in requests and answers' },
  { kind: 'context', path: ['context'], form: 'map', restricts: false, about: 'services that are asked for passages' },
]

const byName: ReadonlyMap<string, ObjectKind> = new Map(objectKinds.map((kind) => [kind.kind, kind]))

export function objectKind(name: string): ObjectKind | undefined {
  return byName.get(name)
}

/** Whether calls could do more where this object is missing. */
export function restricts({ restricts: does }: ObjectKind, object: ObjectValue): boolean {
  return typeof does === 'boolean' ? does : isObject(object) && does(object)
}
