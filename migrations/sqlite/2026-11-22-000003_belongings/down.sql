DROP TABLE entitlements;
DROP TABLE avatars;
DROP TABLE devices;
DROP TABLE identity_links;
