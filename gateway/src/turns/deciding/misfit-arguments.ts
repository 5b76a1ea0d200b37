/** Refusals of calls whose arguments cannot be what is run: a model that is told why can mend them. */
import type { Verdict } from '../../policy/types.ts'

const misfits = {
  handles: { what: 'cannot be put together', remedy: 'handles exactly as they stand in this conversation' },
  'input schema': { what: 'do not fit the input schema of the tool', remedy: 'arguments that fit the input schema of the tool' },
  'JSON numbers': {
    what: 'cannot be passed on',
    remedy: 'integers between -(2^53-1) and 2^53-1 and numbers of up to 15 digits, or with text',
  },
}

/** `detail` quotes nothing that the model may not read. */
export function misfitArguments(source: keyof typeof misfits, detail: string): Verdict {
  return {
    verdict: 'deny',
    action: 'refuse',
    gaps: [{ kind: 'argument', detail, source }],
    remedies: [{ kind: 'prerequisite', detail: `make the call again with ${misfits[source].remedy}` }],
    rules: [source],
    // The model wrote the arguments and has been shown the schema: told what does not fit, it can mend the call.
    reason: `The arguments ${misfits[source].what}: ${detail}.`,
    effects: [],
  }
}
