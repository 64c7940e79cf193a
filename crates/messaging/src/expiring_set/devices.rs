//! Members that are there while one of their devices is: the users online.

use std::time::Duration;

use platform::args;
use platform::redis::{RedisError, millis};

use super::{
    Changes, ExpiringSet, Member, REAP_WINDOW, REFRESH_DEVICE, REMOVE_DEVICE, REMOVE_DEVICES,
};
use crate::content::DeviceId;
use crate::ids::UserId;
use crate::{RedisService, keys};

impl ExpiringSet {
    /// Adds a user, or refreshes their TTL, by a heartbeat of one device; what changed.
    pub async fn refresh_device(
        &self,
        redis: RedisService,
        user: UserId,
        device: &DeviceId,
        ttl: Duration,
    ) -> Result<Changes, RedisError> {
        let keys = [self.by_expiry, &self.signals, &keys::devices(user)];
        let mut arguments = self.arguments_of(user);
        arguments.extend(args![
            millis(ttl),
            millis(ttl + REAP_WINDOW),
            device.as_str()
        ]);
        redis.script_on(REFRESH_DEVICE, &keys, arguments).await
    }

    /// Removes a device, and with the last one the user; what changed. `ttl` is a device's.
    pub async fn remove_device(
        &self,
        redis: RedisService,
        user: UserId,
        device: &DeviceId,
        ttl: Duration,
    ) -> Result<Changes, RedisError> {
        let keys = [self.by_expiry, &self.signals, &keys::devices(user)];
        let mut arguments = self.arguments_of(user);
        arguments.extend(args![millis(ttl), device.as_str()]);
        redis.script_on(REMOVE_DEVICE, &keys, arguments).await
    }

    /// Removes all devices, and with them the user; what changed.
    pub async fn remove_devices(
        &self,
        redis: RedisService,
        user: UserId,
    ) -> Result<Changes, RedisError> {
        let keys = [self.by_expiry, &self.signals, &keys::devices(user)];
        let arguments = self.arguments_of(user);
        redis.script_on(REMOVE_DEVICES, &keys, arguments).await
    }

    fn arguments_of(&self, user: UserId) -> Vec<platform::redis::RedisParameter> {
        let mut arguments = self.arguments();
        arguments.extend(args![Member::Online(user).to_string()]);
        arguments
    }
}
