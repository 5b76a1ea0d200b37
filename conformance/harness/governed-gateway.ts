/** A gateway with its two vendors, started together and closed together. */
import { governedConfig, secretEnv } from './governed-config.ts'
import { startGateway, type RunningGateway } from './gateway-process.ts'
import { say, type ModelAnswer } from './model-answer.ts'
import { startVendor, type Responder, type Vendor } from './vendor.ts'

export interface GovernedGateway extends AsyncDisposable {
  readonly gateway: RunningGateway
  /** `http://127.0.0.1:port`. */
  readonly url: string
  readonly vendors: { readonly openai: Vendor; readonly anthropic: Vendor }
  /** Both vendors answer this from now on. */
  respond(responder: Responder): void
  /** Both vendors say this from now on, in their own dialect. */
  answer(answer: ModelAnswer): void
  close(): Promise<void>
}

type ConfigObject = Record<string, object>

/** `change` gets the usual configuration and returns the one to start with. `env`: more variables the gateway sees. */
export async function startGoverned(
  change: (config: ConfigObject) => object = (config) => config,
  env: Readonly<Record<string, string>> = {},
): Promise<GovernedGateway> {
  const [openai, anthropic] = [await startVendor(), await startVendor()]
  const vendors = { openai, anthropic }
  const closeVendors = async (): Promise<void> => void (await Promise.all([openai.close(), anthropic.close()]))
  const respond = (responder: Responder): void => {
    openai.respond(responder)
    anthropic.respond(responder)
  }
  try {
    const gateway = await startGateway({
      config: change(governedConfig({ openai: openai.url, anthropic: anthropic.url })),
      env: { ...secretEnv, ...env },
    })
    const close = async (): Promise<void> => {
      await closeVendors()
      await gateway.stop()
    }
    return {
      gateway,
      url: gateway.url,
      vendors,
      respond,
      answer: (answer) => respond((request) => say(request, answer)),
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await closeVendors()
    throw error
  }
}

/** The usual configuration with these top-level parts replaced. */
export function withParts(parts: ConfigObject): (config: ConfigObject) => ConfigObject {
  return (config) => ({ ...config, ...parts })
}

/** A configuration with a Bedrock at this address as well, whose models are `nova-test` and everything below `bedrock/`. */
export function withBedrock(config: ConfigObject, url: string): ConfigObject {
  const aws = { access_key_id: bedrockKeys.id, secret_access_key: bedrockKeys.secret }
  return {
    ...config,
    credentials: { ...config.credentials, 'aws-team': { aws } },
    upstreams: { ...config.upstreams, bedrock: { kind: 'bedrock', region: 'us-east-1', base_url: url, credential: 'aws-team' } },
    routes: [
      ...(config.routes as object[]),
      { model: 'nova-test', upstreams: [{ upstream: 'bedrock', model: 'us.amazon.nova-pro-v1:0' }] },
      { model: 'bedrock/*', upstreams: [{ upstream: 'bedrock', model: '*' }] },
    ],
  }
}

export const bedrockKeys = { id: 'AKIDCONFORMANCE', secret: 'aws-secret-of-the-conformance-suite' } as const

/** `pro-test` is served by the OpenAI vendor in Responses, whoever asks. */
export function withResponses(config: ConfigObject): ConfigObject {
  const upstreams = config['upstreams'] as Record<string, object>
  return {
    ...config,
    upstreams: { ...upstreams, responses: { ...upstreams['openai'], speaks: 'responses' } },
    routes: [...(config['routes'] as unknown as object[]), { model: 'pro-test', upstreams: ['responses'] }],
  }
}

/** A configuration with Google's API at the address of this vendor as well, whose models are those that begin with `gemini-`. */
export function withGemini(config: ConfigObject, url: string): ConfigObject {
  return {
    ...config,
    credentials: { ...config.credentials, 'google-team': { secret: geminiKey } },
    upstreams: { ...config.upstreams, gemini: { kind: 'gemini', base_url: url.replace(/\/v1$/, ''), credential: 'google-team' } },
    routes: [...(config.routes as object[]), { model: 'gemini-*', upstreams: ['gemini'] }],
  }
}

export const geminiKey = 'AIza-key-of-the-conformance-suite'
