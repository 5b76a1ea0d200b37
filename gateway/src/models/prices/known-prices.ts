/**
 * The prices that ship with the gateway: those of `@pydantic/genai-prices`, of the day of its release. They take some
 * megabytes, so they are loaded when the first call is to be priced.
 */
import type * as GenaiPrices from '@pydantic/genai-prices'
import type { ModelPrice } from '@pydantic/genai-prices'
import type { UpstreamConfig } from '@turnward/contract/config'
import type { Rates, Tariff } from './tariff.ts'

/** The day of the release whose prices these are; changed with it. */
export const pricesDate = '2026-09-23'

/** Whose prices an upstream has, by its kind: a vendor of the data, whoever makes the model (`maker`), or nobody's (`own`): it is run by who asks it. */
const vendorOf: Readonly<Record<UpstreamConfig['kind'], string>> = {
  openai: 'openai',
  anthropic: 'anthropic',
  azure: 'azure',
  bedrock: 'aws',
  gemini: 'google',
  vertex: 'google',
  mistral: 'mistral',
  groq: 'groq',
  cerebras: 'cerebras',
  deepseek: 'deepseek',
  xai: 'x-ai',
  openrouter: 'openrouter',
  cohere: 'cohere',
  together: 'together',
  fireworks: 'fireworks',
  perplexity: 'perplexity',
  zhipu: 'zhipuai',
  minimax: 'minimax',
  kimi: 'moonshotai',
  cloudflare: 'cloudflare',
  litellm: 'maker',
  kong: 'maker',
  apisix: 'maker',
  'openai-compatible': 'maker',
  'github-models': 'own',
  nvidia: 'own',
  huggingface: 'own',
  ollama: 'own',
  vllm: 'own',
  'lm-studio': 'own',
  scripted: 'own',
}

let data: typeof GenaiPrices | undefined
let loading: Promise<void> | undefined

/** Whether models of upstreams of this kind can have a price here. */
export function hasKnownPrices(kind: UpstreamConfig['kind']): boolean {
  return vendorOf[kind] !== 'own'
}

/** Whether the prices of upstreams of this kind are to be loaded first. */
export function needsLoading(kind: UpstreamConfig['kind']): boolean {
  return data === undefined && hasKnownPrices(kind)
}

/** Resolves when the data is there. */
export function loadPrices(): Promise<void> {
  loading ??= import('@pydantic/genai-prices').then((loaded) => {
    data = loaded
  })
  return loading
}

/** What a model costs at an upstream of this kind at this time; undefined when it is not known, or the data is not loaded. */
export function knownTariff(kind: UpstreamConfig['kind'], model: string, time: number): Tariff | undefined {
  const vendor = vendorOf[kind]
  if (data === undefined || vendor === 'own') return undefined
  // A price for nothing, for the sake of what it is made of.
  const found = data.calcPrice({}, model, { timestamp: new Date(time), ...(vendor === 'maker' ? {} : { providerId: vendor }) })
  return found === null ? undefined : tariffOf(found.model_price)
}

function tariffOf(price: ModelPrice): Tariff | undefined {
  const starts = Object.values(price).flatMap((one) => (typeof one === 'object' ? one.tiers.map(({ start }) => start) : []))
  const rates = ratesAt(price, 0)
  if (rates === undefined) return undefined
  const above = [...new Set(starts)]
    .toSorted((a, b) => b - a)
    .flatMap((start) => {
      const of = ratesAt(price, start + 1)
      return of === undefined ? [] : [{ inputTokens: start, rates: of }]
    })
  return { rates, request: (dollarsAt(price, 'requests_kcount', 0) ?? 0) / 1000, above }
}

function ratesAt(price: ModelPrice, inputTokens: number): Rates | undefined {
  const at = (key: string): number | undefined => dollarsAt(price, key, inputTokens)
  const input = at('input_mtok')
  const output = at('output_mtok')
  // A model that is paid by the image or the second is none of these.
  if (input === undefined && output === undefined) return undefined
  return {
    input: input ?? 0,
    output: output ?? 0,
    cacheRead: at('cache_read_mtok'),
    cacheWrite: at('cache_write_mtok') ?? at('cache_write_5m_mtok'),
    cacheWriteLong: at('cache_write_1h_mtok'),
    reasoning: at('output_reasoning_mtok'),
    inputAudio: at('input_audio_mtok'),
    outputAudio: at('output_audio_mtok'),
  }
}

function dollarsAt(price: ModelPrice, key: string, inputTokens: number): number | undefined {
  const one = price[key]
  if (typeof one !== 'object') return one
  return one.tiers.toSorted((a, b) => b.start - a.start).find(({ start }) => inputTokens > start)?.price ?? one.base
}
