import type { ConformanceCase } from './conformance-case.ts';

const APP = 'bot';

/** Who is in a bridge. */
export const bridgeCases: readonly ConformanceCase[] = [
  {
    title: 'a caller hangs up in a bridge; its application stays subscribed to the bridge',
    async run(stage) {
      await stage.connect(APP);
      const { id, caller } = await stage.call();
      await stage.rest(`POST channels/${id}/answer`);
      await stage.rest('POST bridges/b1?type=mixing');
      await stage.rest(`POST bridges/b1/addChannel?channel=${id}`);
      await caller.hangUp();
      await stage.settle('StasisEnd');
      await stage.rest('DELETE bridges/b1', { until: 'BridgeDestroyed' });
    },
    expected: `
  bot: StasisStart caller []
POST channels/caller/answer -> 204
  bot: ChannelStateChange caller Up
POST bridges/b1?type=mixing -> 200
POST bridges/b1/addChannel?channel=caller -> 204
  bot: ChannelEnteredBridge caller in b1 of 1
  bot: ChannelHangupRequest caller
  bot: ChannelLeftBridge caller in b1 of 0
  bot: StasisEnd caller
DELETE bridges/b1 -> 204
  bot: BridgeDestroyed in b1 of 0`,
  },
  {
    title: 'a bridge takes whom it can, and says why not',
    async run(stage) {
      await stage.connect(APP);
      const { id } = await stage.call();
      await stage.rest(`POST channels/${id}/answer`);
      await stage.rest('POST bridges/b1?type=mixing');
      await stage.rest('POST bridges?type=mixing&bridgeId=b1');
      await stage.rest('POST bridges/b1/addChannel?channel=none');
      await stage.rest(`POST bridges/b1/removeChannel?channel=${id}`);
      await stage.rest(`POST bridges/b1/addChannel?channel=${id}`);
      await stage.rest(`POST bridges/b1/addChannel?channel=${id}`);
      await stage.rest(`POST bridges/b1/removeChannel?channel=${id}`);
      await stage.rest('DELETE bridges/b1');
      await stage.rest('POST bridges/b2?type=holding');
      await stage.rest(`POST bridges/b2/addChannel?channel=${id}`);
      await stage.rest('DELETE bridges/b2');
    },
    expected: `
  bot: StasisStart caller []
POST channels/caller/answer -> 204
  bot: ChannelStateChange caller Up
POST bridges/b1?type=mixing -> 200
POST bridges?type=mixing&bridgeId=b1 -> 409 Bridge with id 'b1' already exists
POST bridges/b1/addChannel?channel=none -> 400 Channel not found
POST bridges/b1/removeChannel?channel=caller -> 422 Channel not in this bridge
POST bridges/b1/addChannel?channel=caller -> 204
  bot: ChannelEnteredBridge caller in b1 of 1
POST bridges/b1/addChannel?channel=caller -> 204
  bot: ChannelLeftBridge caller in b1 of 0
  bot: ChannelEnteredBridge caller in b1 of 1
POST bridges/b1/removeChannel?channel=caller -> 204
  bot: ChannelLeftBridge caller in b1 of 0
DELETE bridges/b1 -> 204
POST bridges/b2?type=holding -> 200
POST bridges/b2/addChannel?channel=caller -> 204
  bot: ChannelEnteredBridge caller in b2 of 1
DELETE bridges/b2 -> 204
  bot: ChannelLeftBridge caller in b2 of 0`,
  },
];
