/** When the certificate of the listener expires: for whoever watches the gateway, and in the log once a day while it is near. */
import { expiryOfCertificate } from '../config/listener-certificate.ts'
import type { CurrentConfig } from '../config/running-config.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'

const dayMs = 24 * 3600 * 1000
/** Whoever renews certificates by a programme has done so long before. */
const nearMs = 14 * dayMs
const lookMs = 3600 * 1000

export interface CertificateExpiry {
  /** Unix milliseconds; undefined without TLS. */
  readonly expires: number | undefined
  close(): Promise<void>
}

export interface ExpiryOptions {
  readonly config: Pick<CurrentConfig, 'current' | 'onSwap'>
  readonly telemetry: Pick<Telemetry, 'observe'>
  readonly clock: Clock
  /** Of the one process that says it, where there are several. */
  readonly logger: Logger | undefined
}

/** Goes on until it is closed. */
export function watchExpiry({ config, telemetry, clock, logger }: ExpiryOptions): CertificateExpiry {
  let read: { readonly certificate: string; readonly expires: number } | undefined
  let toldAt: number | undefined
  const current = (): number | undefined => {
    const { tls } = config.current.settings.listen
    if (tls === undefined) return undefined
    if (read?.certificate !== tls.certificate) {
      read = { certificate: tls.certificate, expires: expiryOfCertificate(tls.certificate) }
      toldAt = undefined
    }
    return read.expires
  }
  const look = (): void => {
    const [expires, now] = [current(), clock.now()]
    if (expires === undefined || expires - now >= nearMs || (toldAt !== undefined && now - toldAt < dayMs)) return
    toldAt = now
    const text = expires <= now ? 'the certificate of the listener has expired' : 'the certificate of the listener expires soon'
    logger?.warn({ expires: new Date(expires).toISOString(), daysLeft: Math.floor((expires - now) / dayMs) }, text)
  }
  look()
  if (current() !== undefined) telemetry.observe('turnward_listen_certificate_expires_seconds', () => Math.floor((current() ?? 0) / 1000))
  const stop = config.onSwap(look)
  const timer = setInterval(look, lookMs)
  timer.unref()
  return {
    get expires() {
      return current()
    },
    async close() {
      clearInterval(timer)
      stop()
    },
  }
}
