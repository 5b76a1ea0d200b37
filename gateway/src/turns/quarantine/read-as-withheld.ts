/**
 * A history as its model would read it, for whoever only counts its words: results that are withheld, or would be, stand as their
 * handles, and contents are out of the calls again. Nothing is kept, admitted or asked.
 */
import { sha256 } from '../../core/hash.ts'
import { admit } from '../../policy/admit.ts'
import { noEvidence } from '../../policy/evidence.ts'
import type { ToolCallView } from '../../wire/dialect.ts'
import type { AttachedCall, ModelCall } from '../call.ts'
import { handleText } from './handle-text.ts'
import { takeContentsOut } from './taking-contents-out.ts'
import { handleOf, standingHandle, standsFor } from './withheld-results.ts'

export type CountedCall = AttachedCall & Pick<ModelCall, 'history' | 'dialect' | 'body' | 'meanings'> & { bytes: Buffer | undefined }

/** Edits the body. */
export async function readAsWithheld(call: CountedCall): Promise<void> {
  if (!call.session.state.hasWithheld && call.snapshot.settings.quarantine === undefined) return
  await takeContentsOut(call, true)
  const calls = new Map<string, ToolCallView>()
  for (const { message } of call.history) {
    for (const view of message.calls) calls.set(view.id, view)
    for (const [position, { callId, text }] of message.results.entries()) {
      const made = calls.get(callId)
      const stands = made === undefined ? undefined : await standingText(call, made, text)
      if (stands === undefined || stands === text) continue
      call.dialect.edit.replaceResult(call.body.json, message.index, position, stands)
      call.bytes = undefined
    }
  }
}

async function standingText(call: CountedCall, made: ToolCallView, text: string): Promise<string | undefined> {
  const standing = await standingHandle(call, text)
  if (standing !== undefined) return standing.text + standing.beside
  const result = { from: made.name, call: made.id, digest: sha256(text), bytes: Buffer.byteLength(text) }
  const known = await standsFor(call, result)
  if (known !== undefined) return known
  const { snapshot, session, caller, meanings } = call
  const { tools } = meanings.ofCall(made)
  const admission = { tools, principal: caller.principal, callKey: made.id, outcome: 'possible', canWithhold: true } as const
  const { content } = admit(snapshot.policy, session.policyState, admission, noEvidence)
  return content.form === 'as it is' ? undefined : handleText({ id: handleOf(call, result), bytes: result.bytes, from: result.from })
}
