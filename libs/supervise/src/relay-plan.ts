export interface RelayPlan {
  readonly name: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * The relays of one machine: so many for each zone, and the RTP ports shared out between them, since two processes
 * can't use one port.
 *
 * @param legListeners where each listens for legs, if PBXs connect to them
 */
export function planRelays(
  zones: readonly string[],
  perZone: number,
  ports: { readonly portMin: number; readonly portMax: number },
  legListeners: ReadonlyArray<{ readonly client: string; readonly port: number }> = [],
): RelayPlan[] {
  const distinct = [...new Set(zones)];
  const count = distinct.length * perZone;
  // Even, as RTP ports are; the odd one above each is its RTCP's.
  const each = Math.floor((ports.portMax - ports.portMin + 1) / count / 2) * 2;
  return distinct.flatMap((zone, z) =>
    Array.from({ length: perZone }, (_, n) => {
      const first = ports.portMin + (z * perZone + n) * each;
      const legs = legListeners[z * perZone + n];
      return {
        name: `relay-${zone}-${n + 1}`,
        env: {
          CALLFLEET_RELAY__ZONE: zone,
          CALLFLEET_RELAY__RTP__PORT_MIN: String(first),
          CALLFLEET_RELAY__RTP__PORT_MAX: String(first + each - 1),
          ...(legs && {
            CALLFLEET_RELAY__WEBSOCKET__LISTEN__PORT: String(legs.port),
            CALLFLEET_RELAY__WEBSOCKET__LISTEN__CLIENT: legs.client,
          }),
        },
      };
    }),
  );
}
