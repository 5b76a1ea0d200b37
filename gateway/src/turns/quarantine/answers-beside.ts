/** What stands beside a handle: asked for once, and the same wherever the handle is shown. */
import type { AttachedCall } from '../call.ts'
import { questionLeaseMs } from './question-budget.ts'
import { type Questioned, questionResult } from './questioner.ts'
import { callStateOf } from '../state-of-call.ts'
import { changeUse } from './withheld-results.ts'

/** '' where nothing does. While another request asks, nothing stands there yet. Rejects when nobody waits any more. */
export async function answersBeside(call: AttachedCall, handle: string, about: Questioned): Promise<string> {
  const isAutomatic = call.snapshot.settings.quarantine?.automatic !== undefined
  const claimed = await changeUse(call, handle, (use): readonly [typeof use, string | number | undefined] => {
    const { beside } = use
    const now = call.services.clock.now()
    if (typeof beside === 'string') return [use, beside]
    if (!isAutomatic || (beside !== undefined && beside > now)) return [use, undefined]
    return [{ ...use, beside: now + questionLeaseMs }, now + questionLeaseMs]
  })
  if (typeof claimed !== 'number') return claimed ?? ''
  try {
    const said = await questionResult(call, handle, about)
    // That has taken its time: what is decided next is looked at again.
    callStateOf(call.services)?.doubt()
    return await changeUse(call, handle, (use) => {
      return typeof use.beside === 'string' ? [use, use.beside] : [{ ...use, beside: said }, said]
    })
  } catch (error) {
    await changeUse(call, handle, (use) => {
      const { beside, ...others } = use
      return [beside === claimed ? others : use, undefined]
    })
    throw error
  }
}
