/**
 * Chat Completions as api.openai.com sends it: the fields, their order, the spacing of streamed events. One answer in, the
 * bytes of a whole answer or of each event out.
 */
import type { ModelAnswer } from './model-answer.ts'

const usageOf = (answer: ModelAnswer) => {
  const { input = 82, output = 17 } = answer.usage ?? {}
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
  }
}

const finishOf = (answer: ModelAnswer): string => answer.finish ?? (answer.calls?.length ? 'tool_calls' : 'stop')

const callsOf = (answer: ModelAnswer) =>
  (answer.calls ?? []).map(({ id, name, args }) => ({ id, type: 'function', function: { name, arguments: argumentsText(args) } }))

function argumentsText(args: object | string | undefined): string {
  return typeof args === 'string' ? args : JSON.stringify(args ?? {})
}

/** The body of a whole answer. */
export function chatCompletion(answer: ModelAnswer, model: string): string {
  const calls = callsOf(answer)
  return JSON.stringify(
    {
      id: 'chatcmpl-CQx7f2mVbKq0uJYh3nR5tWzA1sLdE',
      object: 'chat.completion',
      created: 1761264000,
      model: `${model}-2026-08-06`,
      choices: [
        {
          index: 0,
          message: {
            role: 'assistant',
            content: answer.text ?? null,
            ...(calls.length > 0 ? { tool_calls: calls } : {}),
            refusal: null,
            annotations: [],
          },
          logprobs: null,
          finish_reason: finishOf(answer),
        },
      ],
      usage: usageOf(answer),
      service_tier: 'default',
      system_fingerprint: 'fp_51db84afab',
    },
    undefined,
    2,
  )
}

/** The events of a streamed answer, `[DONE]` included; the usage event only when it was asked for. */
export function chatCompletionEvents(answer: ModelAnswer, model: string, includeUsage: boolean): string[] {
  const head = {
    id: 'chatcmpl-CQx7f2mVbKq0uJYh3nR5tWzA1sLdE',
    object: 'chat.completion.chunk',
    created: 1761264000,
    model: `${model}-2026-08-06`,
    service_tier: 'default',
    system_fingerprint: 'fp_51db84afab',
  }
  const chunk = (delta: object, finish: string | null = null): string =>
    event({
      ...head,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
      ...(includeUsage ? { usage: null } : {}),
      obfuscation: 'q7Yp',
    })
  const events = [chunk({ role: 'assistant', content: answer.text === undefined ? null : '', refusal: null })]
  for (const piece of pieces(answer.text ?? '', 9)) events.push(chunk({ content: piece }))
  for (const [index, call] of callsOf(answer).entries()) {
    events.push(chunk({ tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.function.name, arguments: '' } }] }))
    for (const piece of pieces(call.function.arguments, 7)) events.push(chunk({ tool_calls: [{ index, function: { arguments: piece } }] }))
  }
  events.push(chunk({}, finishOf(answer)))
  if (includeUsage) events.push(event({ ...head, choices: [], usage: usageOf(answer), obfuscation: '' }))
  return [...events, 'data: [DONE]\n\n']
}

/** The text in pieces of so many characters; never inside a surrogate pair. */
export function pieces(text: string, size: number): string[] {
  const characters = Array.from(text)
  return Array.from({ length: Math.ceil(characters.length / size) }, (_, index) =>
    characters.slice(index * size, (index + 1) * size).join(''),
  )
}

function event(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`
}
