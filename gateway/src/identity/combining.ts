/**
 * One caller of what the ways have found. Each identity is a person or an application: persons of one request must be the same, and so
 * must applications; an application beside a person is the consumer, and a certificate of one says what acts. The table is in
 * docs/identity/who-is-calling.md.
 */
import { TurnwardError } from '../core/error.ts'
import type { Caller, Scope, Within } from '../core/principal.ts'
import type { Identity, WayName } from './ways/way.ts'

/** What a way shows, in words. */
const shown: Readonly<Record<WayName, string>> = {
  key: 'the virtual key',
  token: 'the token',
  edge: 'the identity headers of the edge',
  certificate: 'the client certificate',
}

/** Who speaks for the principal first: the more exact word. */
const order: readonly WayName[] = ['token', 'edge', 'certificate', 'key']

interface Remembered {
  caller?: Caller
  readonly next: WeakMap<Identity, Remembered>
}

const remembered: Remembered = { next: new WeakMap() }

/** The same object for the same identities. Throws `auth.missing_key` for nobody, and `auth.two_identities` for two that are not the same. */
export function callerOf(found: readonly Identity[]): Caller {
  let place = remembered
  for (const identity of found) {
    let next = place.next.get(identity)
    if (next === undefined) place.next.set(identity, (next = { next: new WeakMap() }))
    place = next
  }
  place.caller ??= Object.freeze(found.length > 1 ? combined(found) : alone(found))
  return place.caller
}

function alone([identity]: readonly Identity[]): Caller {
  if (identity === undefined) throw new TurnwardError('auth.missing_key')
  const { way: _, isAnonymous: __, id, actors, ...rest } = identity
  return { ...rest, key: id, actors, actor: actors[0] ?? null }
}

function combined(found: readonly Identity[]): Caller {
  const sorted = order.flatMap((way) => found.filter((one) => one.way === way))
  // Nobody restricts whoever is named besides, and names no one.
  const named = sorted.filter(({ isAnonymous }) => isAnonymous !== true)
  const persons = named.filter(({ principal }) => principal.kind === 'human')
  const applications = named.filter(({ principal, way }) => principal.kind === 'workload' && way !== 'certificate')
  requireSame(persons)
  requireSame(applications)
  const speaker = persons[0] ?? applications[0] ?? named[0] ?? sorted[0]
  if (speaker === undefined) throw new TurnwardError('auth.missing_key')
  const key = found.find(({ way }) => way === 'key')
  const actors = actorsOf(named, speaker)
  const subject = found.find((one) => one.subject !== undefined)?.subject
  const within = found.reduce<Within | undefined>((one, other) => narrower(one, other.within), undefined)
  return {
    principal: speaker.principal,
    key: key?.id ?? speaker.id,
    consumer: consumerOf(named, applications, speaker),
    actor: actors[0] ?? null,
    actors,
    issuer: speaker.issuer,
    scopes: found.reduce<readonly Scope[] | null>((one, other) => common(one, other.scopes), null),
    expires: found.reduce<number | null>((one, { expires }) => (one === null || (expires !== null && expires < one) ? expires : one), null),
    claims: speaker.claims,
    credentials: key?.credentials ?? speaker.credentials,
    ...(subject === undefined ? {} : { subject }),
    ...(within === undefined ? {} : { within }),
    later: JSON.stringify(named.map(({ later }) => later)),
  }
}

/** What `later` of a caller was made of. */
export function partsOfLater(later: string): readonly string[] {
  if (!later.startsWith('[')) return [later]
  const parts: unknown = JSON.parse(later)
  return Array.isArray(parts) ? parts.filter((part) => typeof part === 'string') : []
}

function requireSame([first, ...others]: readonly Identity[]): void {
  const other = others.find(({ principal }) => principal.id !== first?.principal.id)
  if (first === undefined || other === undefined) return
  const isSharedKey = other.way === 'key' && other.principal.kind === 'human'
  throw new TurnwardError('auth.two_identities', {
    subject: `${first.way}, ${other.way}`,
    why: `${shown[first.way]} and ${shown[other.way]} name different ${first.principal.kind === 'human' ? 'people' : 'applications'}`,
    ...(isSharedKey ? { fix: 'Send one of them. A key that several people use belongs to a principal with `kind: workload`.' } : {}),
  })
}

/** A key beside another identity is the consumer; without one, an application beside a person is. */
function consumerOf(named: readonly Identity[], applications: readonly Identity[], speaker: Identity): string | null {
  const key = named.find(({ way }) => way === 'key')
  if (key !== undefined) return key.consumer ?? key.id
  const said = named.find(({ consumer }) => consumer !== null)?.consumer
  return said ?? applications.find((one) => one !== speaker && one.principal.id !== speaker.principal.id)?.principal.id ?? null
}

/** The certificate of an application says what acts; what key or token say of it must be the same. */
function actorsOf(named: readonly Identity[], speaker: Identity): readonly string[] {
  const chains = named.flatMap((one): { readonly way: WayName; readonly actors: readonly string[] }[] => {
    if (one.actors.length > 0) return [one]
    const acts = one.way === 'certificate' && one.principal.kind === 'workload' && one.principal.id !== speaker.principal.id
    return acts ? [{ way: one.way, actors: [one.principal.id] }] : []
  })
  const [first, ...others] = chains
  if (first === undefined) return []
  const other = others.find(({ actors }) => actors[0] !== first.actors[0])
  if (other !== undefined)
    throw new TurnwardError('auth.two_identities', {
      subject: `${first.way}, ${other.way}`,
      why: `${shown[first.way]} and ${shown[other.way]} say that different agents act`,
    })
  return chains.reduce((one, chain) => (chain.actors.length > one.actors.length ? chain : one), first).actors
}

function common<T>(one: readonly T[] | null, other: readonly T[] | null): readonly T[] | null {
  if (one === null || other === null) return one ?? other
  return one.filter((part) => other.includes(part))
}

/** Both hold: what either takes away is gone, whatever patterns they are written with. */
function narrower(one: Within | undefined, other: Within | undefined): Within | undefined {
  if (one === undefined || other === undefined) return one ?? other
  return { ...one, and: narrower(one.and, other) ?? other }
}
