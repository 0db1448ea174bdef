/**
 * Circuit breakers, one per endpoint: after failures in a row nobody asks it for a while, then one probe does.
 * Pattern: Nygard, "Release It!", 2007 (closed, open, half-open). Pure but for what it counts: the time is passed in.
 */

/** Failures in a row that open a breaker; how long it stays open at first and at most, doubled by each failed probe. */
const breaking = { threshold: 5, open: 30_000, longest: 300_000 } as const

interface Circuit {
  failures: number
  /** How long it was open last, milliseconds. */
  wait: number
  /** Until when it is open, epoch milliseconds; null while it is closed. */
  until: number | null
  /** Who makes the probe that is under way. */
  probe: object | null
}

/** The breakers of one engine, by endpoint. */
export class Breakers {
  readonly #circuits = new Map<string, Circuit>()

  /**
   * Until when nobody may ask the endpoint (epoch ms; 'probe': until the probe under way has ended), or null: it may be
   * asked. Of an open breaker whose time is up one may: the first `by` that gets null then is the probe, and tells how it
   * went, or that it asked nothing.
   */
  ask(endpoint: string, at: number, by: object): number | 'probe' | null {
    const circuit = this.#circuits.get(endpoint)
    if (circuit?.until == null) return null
    // A clock that was set back does not keep it open longer than it was meant to be.
    if (at < circuit.until && circuit.until - at <= circuit.wait) return circuit.until
    if (circuit.probe !== null && circuit.probe !== by) return 'probe'
    circuit.probe = by
    return null
  }

  /** The endpoint answered, or at least did not fail by the network. */
  succeeded(endpoint: string): void {
    this.#circuits.delete(endpoint)
  }

  /** `by` tells nothing of the endpoint: where it was the probe, another one may be made. */
  untold(endpoint: string, by: object): void {
    const circuit = this.#circuits.get(endpoint)
    if (circuit?.probe === by) circuit.probe = null
  }

  failed(endpoint: string, at: number, by: object): void {
    const circuit = this.#circuits.get(endpoint) ?? { failures: 0, wait: 0, until: null, probe: null }
    this.#circuits.set(endpoint, circuit)
    circuit.failures++
    // Whoever asked before it opened tells nothing new.
    if (circuit.failures < breaking.threshold || (circuit.until !== null && circuit.probe !== by)) return
    circuit.probe = null
    circuit.wait = circuit.wait === 0 ? breaking.open : Math.min(breaking.longest, circuit.wait * 2)
    circuit.until = at + circuit.wait
  }
}

/** The endpoint that a URL means: scheme, host and port; null where it is no URL with a host. */
export function endpointOf(url: unknown): string | null {
  if (typeof url !== 'string' || !URL.canParse(url)) return null
  const { protocol, host } = new URL(url)
  return host === '' ? null : `${protocol}//${host}`
}
