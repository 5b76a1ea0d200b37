/** How likely each token of a Gemini answer was: `logprobsResult`, two lists with an entry for each token. */
import type { JsonObject } from '../../../../core/json.ts'
import { objectOf } from '../../../hub/loose-fields.ts'
import type { TokenLogprob } from '../../../hub/logprobs.ts'
import { objectsOf } from '../../../request/fields.ts'

export function readLogprobs(candidate: JsonObject | undefined): readonly TokenLogprob[] {
  const result = objectOf(candidate?.logprobsResult)
  const others = objectsOf(result?.topCandidates)
  return objectsOf(result?.chosenCandidates).flatMap((chosen, at) => {
    const top = objectsOf(others[at]?.candidates).flatMap(readToken)
    return readToken(chosen).map((token) => ({ ...token, top }))
  })
}

function readToken({ token, logProbability: logprob }: JsonObject): Omit<TokenLogprob, 'top'>[] {
  return typeof token === 'string' && typeof logprob === 'number' ? [{ token, logprob, bytes: undefined }] : []
}

/** As fields of a candidate. */
export function writeLogprobs(logprobs: readonly TokenLogprob[]): JsonObject {
  if (logprobs.length === 0) return {}
  const write = ({ token, logprob }: Omit<TokenLogprob, 'top'>): JsonObject => ({ token, logProbability: logprob })
  const hasOthers = logprobs.some(({ top }) => top.length > 0)
  return {
    logprobsResult: {
      chosenCandidates: logprobs.map(write),
      ...(hasOthers ? { topCandidates: logprobs.map(({ top }) => ({ candidates: top.map(write) })) } : {}),
    },
  }
}
