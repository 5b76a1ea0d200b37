/**
 * Under which key an answer is kept. All that may make an answer another one, or that it may be for others, is a part of it: the
 * request as it goes on, the upstream and its model, for whom it is, the revision of the configuration, and the label of the session.
 * Under another label nobody is given it, so that what a session has read reaches nobody who has not read as much.
 */
import type { Route, RouteCache, RouteTarget } from '../../config/snapshot.ts'
import { digestJson, sha256 } from '../../core/hash.ts'
import type { Caller } from '../../core/principal.ts'
import { headersOf } from '../../models/headers-in-body.ts'
import { labelRecord } from '../../policy/label.ts'
import { providers } from '../../providers/providers.ts'
import type { ModelCall } from '../call.ts'
import { stateWhenSent } from '../deciding/narrowing-when-sent.ts'

/** What of a key is the same whoever is asked. `json`: the request as it goes on, or what of it is to be the same. */
export function requestKey(call: ModelCall, { model }: Route, { scope }: RouteCache, json = call.body.json): string {
  const { view, dialect, snapshot, caller, keeping } = call
  return digestJson([
    snapshot.revision,
    model,
    dialect.name,
    view.model,
    view.stream,
    view.wantsUsage,
    // An answer that is kept by its id is another one where it goes on from another.
    keeping === undefined ? null : [keeping.keeps, keeping.previous],
    whoseOf(caller, scope),
    labelRecord(stateWhenSent(call).label, snapshot.policy),
    json,
  ])
}

/** The key of what this upstream answers. */
export function answerKey(requested: string, call: ModelCall, { upstream, model }: RouteTarget): string {
  const headers = headersOf(call.dialect, call.origin.headers, call.body.fields)
  const { forwardedHeaders } = providers[upstream.config.kind]
  const forwarded = [...inBodies, ...forwardedHeaders].filter((name) => !namesRequest.test(name)).map((name) => headers[name] ?? null)
  return sha256(JSON.stringify([requested, upstream.name, model ?? null, forwarded]))
}

/** Headers that some upstreams are told in the body (`SpokenDialect.form`). */
const inBodies = ['anthropic-beta', 'anthropic-version']

/** Of headers that travel on, those that only say which request it is. */
const namesRequest = /request-id$/

/** Who is in no group is nobody's like. */
function whoseOf({ principal, consumer }: Caller, scope: RouteCache['scope']): unknown {
  if (scope === 'all') return ['all']
  if (scope === 'group' && principal.groups.length > 0) return ['group', ...[...principal.groups].toSorted()]
  return ['principal', principal.id, consumer]
}
