/**
 * Who administers with a request, and who looks after what is theirs: with a key or token that was made for that (scope `admin`), or
 * signed in with a browser. An agent does neither.
 */
import type { IncomingMessage } from 'node:http'
import { roleNames } from '@turnward/contract/config/identity/roles'
import { TurnwardError } from '../core/error.ts'
import type { Caller } from '../core/principal.ts'
import type { BrowserSession, ScriptSessions } from '../identity/browser/sign-in.ts'
import type { Role } from '../identity/people/roles.ts'
import { presentedBy } from '../identity/ways/presented-by.ts'
import type { Services } from '../turns/services.ts'

export interface Administrator {
  /** Principal id. */
  readonly id: string
  readonly groups: readonly string[]
  /** Those that count in this request. */
  readonly roles: readonly Role[]
  /** Whether this is the person, and not merely somebody who has a key of theirs for something else. */
  readonly isPerson: boolean
  /** Who came with the key or token; undefined for who is signed in with a browser. */
  readonly caller: Caller | undefined
  /** What a script of ours sends with what changes something; undefined for a key or token, which no other site can send. */
  readonly form: string | undefined
}

export type AdministrationServices = Pick<Services, 'authenticator' | 'people' | 'snapshot'>

/**
 * A session is looked at only where the request shows no key and no token: beside one it counts for nothing but to be refused if it is
 * of somebody else. Rejects with what the authenticator says, `auth.signed_out`, `auth.two_identities`, `auth.disabled`, or with
 * `auth.foreign_request` for a request that changes something and was not made by a page of ours.
 */
export async function administratorOf(
  services: AdministrationServices,
  sessions: ScriptSessions,
  request: IncomingMessage,
): Promise<Administrator> {
  const session = await sessions.current(request)
  if (session === undefined) return withKey(services, await authenticated(services, request))
  const shown = await besides(services, request)
  const hasKey = showsKey(request)
  if (shown !== undefined && shown.principal.id !== session.person && (hasKey || shown.principal.kind === 'human'))
    throw new TurnwardError('auth.two_identities', {
      subject: hasKey ? 'session, key or token' : 'session, edge or certificate',
      why: `the session of the browser and ${hasKey ? 'the key or token' : 'the edge or certificate in front'} name different people`,
    })
  if (shown !== undefined && hasKey) return withKey(services, shown)
  if (!isSafe(request)) sessions.checkRequest(request, session)
  const { groups } = await services.people.principal(session.person, services.snapshot())
  return { id: session.person, groups, roles: rolesIn(session), isPerson: true, caller: undefined, form: sessions.requestToken(session) }
}

/** Throws `auth.role` unless the role counts in this request. */
export function requireRole({ id, roles }: Administrator, role: Role): void {
  if (roles.includes(role)) return
  throw new TurnwardError('auth.role', {
    subject: id,
    why: `it needs \`${role}\`, and to be signed in, or a key or token with the scope \`admin\``,
  })
}

/** Throws `auth.insufficient_scope` for a key or token that is not for administering, and for an agent. */
export function requirePerson({ id, isPerson }: Administrator): void {
  if (isPerson) return
  throw new TurnwardError('auth.insufficient_scope', {
    subject: id,
    why: "it needs to be signed in, or a key or token with the scope `admin` that is no agent's",
  })
}

async function withKey({ people, snapshot }: AdministrationServices, caller: Caller): Promise<Administrator> {
  const { principal, scopes, actors } = caller
  const { id, groups } = principal
  const isPerson = scopes?.includes('admin') === true && actors.length === 0
  return { id, groups, roles: isPerson ? await people.roles(id, snapshot()) : [], isPerson, caller, form: undefined }
}

async function authenticated({ authenticator, snapshot }: AdministrationServices, request: IncomingMessage): Promise<Caller> {
  try {
    return await authenticator.authenticate(presentedBy(request), snapshot(), 'admin')
  } catch (error) {
    const isBrowser = request.headers.cookie !== undefined && !showsKey(request)
    if (isBrowser && error instanceof TurnwardError && error.code === 'auth.missing_key') throw new TurnwardError('auth.signed_out')
    throw error
  }
}

/** Who else is named beside a session. What an edge lets through without knowing whom names nobody. */
async function besides({ authenticator, snapshot }: AdministrationServices, request: IncomingMessage): Promise<Caller | undefined> {
  try {
    return await authenticator.authenticate(presentedBy(request), snapshot(), 'admin')
  } catch (error) {
    if (error instanceof TurnwardError && (error.code === 'auth.missing_key' || error.code === 'auth.anonymous')) return undefined
    throw error
  }
}

function showsKey({ headers }: IncomingMessage): boolean {
  return headers.authorization !== undefined || headers['x-api-key'] !== undefined
}

function isSafe({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD'
}

function rolesIn({ roles }: BrowserSession): readonly Role[] {
  return roleNames.filter((role) => roles.includes(role))
}
