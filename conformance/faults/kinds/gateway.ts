/** A gateway with one upstream of every dialect, all of them one vendor. */
import { startGateway, type RunningGateway } from '../../harness/gateway-process.ts'
import { governedConfig, secretEnv } from '../../harness/governed-config.ts'
import { startVendor, type Vendor } from '../../harness/vendor.ts'
import { type Wire, wireNames, wireOf } from '../breaking-wires.ts'

export interface Kinds extends AsyncDisposable {
  readonly gateway: RunningGateway
  /** `http://127.0.0.1:port`. */
  readonly url: string
  readonly vendor: Vendor
  close(): Promise<void>
}

/** An upstream that speaks this dialect only. */
export function upstreamOf(wire: Wire, url: string): object {
  return { ...wireOf(wire).upstream(url), ...(wire === 'openai' ? { speaks: 'chat-completions' } : {}) }
}

/** `change` gets the usual configuration and returns the one to start with. */
export async function startKinds(change: (config: Record<string, object>, url: string) => object = (config) => config): Promise<Kinds> {
  const vendor = await startVendor()
  const config = {
    ...governedConfig({ openai: vendor.url, anthropic: vendor.url }),
    upstreams: Object.fromEntries(wireNames.map((wire) => [wire, upstreamOf(wire, vendor.url)])),
    routes: wireNames.map((wire) => ({ model: wireOf(wire).model, upstreams: [wire] })),
  }
  try {
    const gateway = await startGateway({ config: change(config, vendor.url), env: secretEnv })
    const close = async (): Promise<void> => {
      await vendor.close()
      await gateway.stop()
    }
    return { gateway, url: gateway.url, vendor, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await vendor.close()
    throw error
  }
}
