/**
 * Handles in the arguments of a call that its client runs itself. What they stand for is put in their place in what the client
 * gets; what goes to a server of ours keeps its handles, because the endpoint puts the content there.
 */
import type { ToolCallView } from '../../wire/dialect.ts'
import type { ProposingCall } from '../call.ts'
import type { CallMeaning } from '../naming/call-meaning.ts'
import { agentToolsOf } from '../sessions/clients/clients.ts'
import { handlesIn } from './handle-text.ts'
import { type HandledArguments, handledArguments } from './handles-in-arguments.ts'

/** Undefined where there is nothing to put in place. `canWrite`: whether the form of the answer lets arguments be written anew. */
export async function handledProposal(
  call: ProposingCall,
  made: ToolCallView,
  { tools, through }: CallMeaning,
  canWrite: boolean,
): Promise<HandledArguments | undefined> {
  if (made.args === undefined || !call.session.state.hasWithheld || !tools.every(({ server }) => server === 'client')) return undefined
  if (handlesIn(made.args).length === 0) return undefined
  if (agentToolsOf(call.client).has(made.name))
    return {
      form: 'unusable',
      why: 'an agent would read what a handle stands for; ask about it here, and tell the agent what you were answered',
    }
  if (through) return { form: 'unusable', why: 'a handle cannot be passed on by a tool that calls another one; call that tool itself' }
  if (!canWrite || made.isFixed === true)
    return {
      form: 'unusable',
      why: 'nothing can be put in place in a call of this kind; use another tool, or ask about what the handle stands for',
    }
  return handledArguments(call, made.args)
}
