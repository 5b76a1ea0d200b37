/** What people ruled on calls of a conversation since its model was told last. */
import type { ModelCall } from '../call.ts'
import { ruledNotice } from './waiting-words.ts'

/** Words for the model, once for each ruling. What still waits is told when it is ruled on; what has run since needs no word. */
export async function takeRulings({ services, session }: Pick<ModelCall, 'services' | 'session'>): Promise<readonly string[]> {
  const found = await Promise.all(session.state.approvals.map(async (id) => ({ id, approval: await services.approvals.find(id) })))
  const done = found.filter(({ approval }) => approval?.status !== 'pending')
  if (done.length === 0) return []
  const ids = new Set(done.map(({ id }) => id))
  // Of two requests of the conversation one tells it.
  const taken = await services.sessions.change(session, (state) => {
    const left = state.approvals.filter((id) => !ids.has(id))
    return left.length === state.approvals.length
      ? [state, []]
      : [{ ...state, approvals: left }, state.approvals.filter((id) => ids.has(id))]
  })
  const told = new Set(['approved', 'denied', 'expired'])
  return done.flatMap(({ id, approval }) =>
    approval !== undefined && taken.includes(id) && told.has(approval.status) ? [ruledNotice(approval)] : [],
  )
}
