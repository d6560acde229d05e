/** Somebody uses the simulated PBX in a way that it can't be used. */
export class PbxSimError extends Error {
  readonly code: 'CF_PBX_SIM_BAD_INPUT' | 'CF_PBX_SIM_NOT_ANSWERED' | 'CF_PBX_SIM_NOTHING_HEARD' | 'CF_PBX_SIM_STOPPED';

  constructor(code: PbxSimError['code'], message: string) {
    super(message);
    this.name = 'PbxSimError';
    this.code = code;
  }
}
