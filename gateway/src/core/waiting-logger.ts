/** A logger for the time before it is known where lines go and which are wanted: it keeps them, and hands them on. */
import type { Logger } from './logger.ts'

export class WaitingLogger implements Logger {
  readonly #waiting: ((logger: Logger) => void)[] = []
  #logger: Logger | undefined

  debug(fields: object, message: string): void {
    this.#tell((logger) => logger.debug(fields, message))
  }

  info(fields: object, message: string): void {
    this.#tell((logger) => logger.info(fields, message))
  }

  warn(fields: object, message: string): void {
    this.#tell((logger) => logger.warn(fields, message))
  }

  error(fields: object, message: string): void {
    this.#tell((logger) => logger.error(fields, message))
  }

  /** What has waited, in its order, and from now on every line at once. */
  handOnTo(logger: Logger): void {
    this.#logger = logger
    for (const tell of this.#waiting.splice(0)) tell(logger)
  }

  #tell(tell: (logger: Logger) => void): void {
    if (this.#logger === undefined) this.#waiting.push(tell)
    else tell(this.#logger)
  }
}
